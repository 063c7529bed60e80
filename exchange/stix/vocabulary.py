"""The open vocabularies and closed enumerations of STIX 2.1 (appendix A of the specification, 10) as words.

A vocabulary is open: its words are what strict collections insist on; everyone else takes any word.
"""

from __future__ import annotations

VOCABULARIES = {
    "account-type": frozenset("""
        facebook ldap nis openid radius skype tacacs twitter unix windows-local windows-domain
    """.split()),
    "attack-motivation": frozenset("""
        accidental coercion dominance ideology notoriety organizational-gain personal-gain
        personal-satisfaction revenge unpredictable
    """.split()),
    "attack-resource-level": frozenset("individual club contest team organization government".split()),
    "grouping-context": frozenset("suspicious-activity malware-analysis unspecified".split()),
    "hash-algorithm": frozenset("MD5 SHA-1 SHA-256 SHA-512 SHA3-256 SHA3-512 SSDEEP TLSH".split()),
    "identity-class": frozenset("individual group system organization class unknown".split()),
    "implementation-language": frozenset("""
        applescript bash c c++ c# go java javascript lua objective-c perl php powershell python ruby scala
        swift typescript visual-basic x86-32 x86-64
    """.split()),
    "indicator-type": frozenset("""
        anomalous-activity anonymization benign compromised malicious-activity attribution unknown
    """.split()),
    "industry-sector": frozenset("""
        agriculture aerospace automotive chemical commercial communications construction defense education
        energy entertainment financial-services government emergency-services government-national
        government-regional government-local government-public-services healthcare hospitality-leisure
        infrastructure dams nuclear water insurance manufacturing mining non-profit pharmaceuticals retail
        technology telecommunications transportation utilities
    """.split()),
    "infrastructure-type": frozenset("""
        amplification anonymization botnet command-and-control control-system exfiltration firewall
        hosting-malware hosting-target-lists phishing reconnaissance routers-switches staging workstation
        unknown
    """.split()),
    "malware-capabilities": frozenset("""
        accesses-remote-machines anti-debugging anti-disassembly anti-emulation anti-memory-forensics
        anti-sandbox anti-vm captures-input-peripherals captures-output-peripherals
        captures-system-state-data cleans-traces-of-infection commits-fraud communicates-with-c2
        compromises-data-availability compromises-data-integrity compromises-system-availability
        controls-local-machine degrades-security-software degrades-system-updates determines-c2-server
        emails-spam escalates-privileges evades-av exfiltrates-data fingerprints-host hides-artifacts
        hides-executing-code infects-files infects-remote-machines installs-other-components
        persists-after-system-reboot prevents-artifact-access prevents-artifact-deletion
        probes-network-environment self-modifies steals-authentication-credentials
        violates-system-operational-integrity
    """.split()),
    "malware-result": frozenset("malicious suspicious benign unknown".split()),
    "malware-type": frozenset("""
        adware backdoor bot bootkit ddos downloader dropper exploit-kit keylogger ransomware
        remote-access-trojan resource-exploitation rogue-security-software rootkit screen-capture spyware
        trojan unknown virus webshell wiper worm
    """.split()),
    "pattern-type": frozenset("stix pcre sigma snort suricata yara".split()),
    "processor-architecture": frozenset("alpha arm ia-64 mips powerpc sparc x86 x86-64".split()),
    "region": frozenset("""
        africa eastern-africa middle-africa northern-africa southern-africa western-africa americas
        latin-america-caribbean south-america caribbean central-america northern-america asia central-asia
        eastern-asia southern-asia south-eastern-asia western-asia europe eastern-europe northern-europe
        southern-europe western-europe oceania antarctica australia-new-zealand melanesia micronesia
        polynesia
    """.split()),
    "report-type": frozenset("""
        attack-pattern campaign identity indicator intrusion-set malware observed-data threat-actor
        threat-report tool vulnerability
    """.split()),
    "threat-actor-role": frozenset("""
        agent director independent infrastructure-architect infrastructure-operator malware-author sponsor
    """.split()),
    "threat-actor-sophistication": frozenset("none minimal intermediate advanced expert innovator strategic".split()),
    "threat-actor-type": frozenset("""
        activist competitor crime-syndicate criminal hacker insider-accidental insider-disgruntled
        nation-state sensationalist spy terrorist unknown
    """.split()),
    "tool-type": frozenset("""
        denial-of-service exploitation information-gathering network-capture credential-exploitation
        remote-access vulnerability-scanning unknown
    """.split()),
}
"""Open vocabularies by name."""

ENUMERATIONS = {
    "encryption-algorithm": frozenset("AES-256-GCM ChaCha20-Poly1305 mime-type-indicated".split()),
    "extension-type": frozenset("""
        new-sdo new-sco new-sro property-extension toplevel-property-extension
    """.split()),
    "opinion": frozenset("strongly-disagree disagree neutral agree strongly-agree".split()),
    "registry-datatype": frozenset("""
        REG_NONE REG_SZ REG_EXPAND_SZ REG_BINARY REG_DWORD REG_DWORD_BIG_ENDIAN REG_DWORD_LITTLE_ENDIAN
        REG_LINK REG_MULTI_SZ REG_RESOURCE_LIST REG_FULL_RESOURCE_DESCRIPTION REG_RESOURCE_REQUIREMENTS_LIST
        REG_QWORD REG_INVALID_TYPE
    """.split()),
}
"""Closed enumerations by name."""


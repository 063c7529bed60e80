"""The open vocabularies and closed enumerations of STIX 2.1 (appendix A of the specification, 10) as words.

A vocabulary is open: its words are what strict collections insist on; everyone else takes any word.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


VOCABULARIES = {
    "account-type": _words("""
        facebook ldap nis openid radius skype tacacs twitter unix windows-local windows-domain
    """),
    "attack-motivation": _words("""
        accidental coercion dominance ideology notoriety organizational-gain personal-gain
        personal-satisfaction revenge unpredictable
    """),
    "attack-resource-level": _words("individual club contest team organization government"),
    "grouping-context": _words("suspicious-activity malware-analysis unspecified"),
    "hash-algorithm": _words("MD5 SHA-1 SHA-256 SHA-512 SHA3-256 SHA3-512 SSDEEP TLSH"),
    "identity-class": _words("individual group system organization class unknown"),
    "implementation-language": _words("""
        applescript bash c c++ c# go java javascript lua objective-c perl php powershell python ruby scala
        swift typescript visual-basic x86-32 x86-64
    """),
    "indicator-type": _words("""
        anomalous-activity anonymization benign compromised malicious-activity attribution unknown
    """),
    "industry-sector": _words("""
        agriculture aerospace automotive chemical commercial communications construction defense education
        energy entertainment financial-services government emergency-services government-national
        government-regional government-local government-public-services healthcare hospitality-leisure
        infrastructure dams nuclear water insurance manufacturing mining non-profit pharmaceuticals retail
        technology telecommunications transportation utilities
    """),
    "infrastructure-type": _words("""
        amplification anonymization botnet command-and-control control-system exfiltration firewall
        hosting-malware hosting-target-lists phishing reconnaissance routers-switches staging workstation
        unknown
    """),
    "malware-capabilities": _words("""
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
    """),
    "malware-result": _words("malicious suspicious benign unknown"),
    "malware-type": _words("""
        adware backdoor bot bootkit ddos downloader dropper exploit-kit keylogger ransomware
        remote-access-trojan resource-exploitation rogue-security-software rootkit screen-capture spyware
        trojan unknown virus webshell wiper worm
    """),
    "pattern-type": _words("stix pcre sigma snort suricata yara"),
    "processor-architecture": _words("alpha arm ia-64 mips powerpc sparc x86 x86-64"),
    "region": _words("""
        africa eastern-africa middle-africa northern-africa southern-africa western-africa americas
        latin-america-caribbean south-america caribbean central-america northern-america asia central-asia
        eastern-asia southern-asia south-eastern-asia western-asia europe eastern-europe northern-europe
        southern-europe western-europe oceania antarctica australia-new-zealand melanesia micronesia
        polynesia
    """),
    "report-type": _words("""
        attack-pattern campaign identity indicator intrusion-set malware observed-data threat-actor
        threat-report tool vulnerability
    """),
    "threat-actor-role": _words("""
        agent director independent infrastructure-architect infrastructure-operator malware-author sponsor
    """),
    "threat-actor-sophistication": _words("none minimal intermediate advanced expert innovator strategic"),
    "threat-actor-type": _words("""
        activist competitor crime-syndicate criminal hacker insider-accidental insider-disgruntled
        nation-state sensationalist spy terrorist unknown
    """),
    "tool-type": _words("""
        denial-of-service exploitation information-gathering network-capture credential-exploitation
        remote-access vulnerability-scanning unknown
    """),
}
"""Open vocabularies by name."""

ENUMERATIONS = {
    "encryption-algorithm": _words("AES-256-GCM ChaCha20-Poly1305 mime-type-indicated"),
    "extension-type": _words("""
        new-sdo new-sco new-sro property-extension toplevel-property-extension
    """),
    "opinion": _words("strongly-disagree disagree neutral agree strongly-agree"),
    "registry-datatype": _words("""
        REG_NONE REG_SZ REG_EXPAND_SZ REG_BINARY REG_DWORD REG_DWORD_BIG_ENDIAN REG_DWORD_LITTLE_ENDIAN
        REG_LINK REG_MULTI_SZ REG_RESOURCE_LIST REG_FULL_RESOURCE_DESCRIPTION REG_RESOURCE_REQUIREMENTS_LIST
        REG_QWORD REG_INVALID_TYPE
    """),
}
"""Closed enumerations by name."""


"""OpenCTI: bundles and live streams, with indicators derived from its observables and channels."""

from connectors.opencti.connector import OpenCti

CONNECTOR = OpenCti()

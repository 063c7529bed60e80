"""TAXII 2.1 pull: any server's collection, with a checkpoint that survives what servers get wrong."""

from connectors.taxii.connector import Taxii

CONNECTOR = Taxii()

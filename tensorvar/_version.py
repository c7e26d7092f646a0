"""The version, in a module of its own so that lower layers can write it into files."""

VERSION = '0.1.0'

"""Tenants of the tests of the command line."""

TENANT = "5f0c9a3e-8a5d-4a3e-9c57-0d4f0a7b1c11"
OTHER_TENANT = "0b7f5b2c-6e2f-4c0b-8f5e-2d7f2a9e4d22"

"""Seawall: locks, pools and admission for Python services, with one graph of waiting."""

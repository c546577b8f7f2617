"""Threads that do work for others."""

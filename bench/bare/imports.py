"""Bare side of the start: the packages that Fullcircle is made of, imported and nothing else."""

import alembic.command
import cryptography.fernet
import fastapi
import httpx
import jinja2
import prometheus_client
import pwdlib.hashers.argon2
import pydantic_settings
import regex
import rich.console
import rich.table
import sqlalchemy.ext.asyncio
import structlog
import typer
import uvicorn
import uvicorn.loops.auto

PACKAGES = (
    *(alembic, cryptography, fastapi, httpx, jinja2, prometheus_client, pwdlib, pydantic_settings),
    *(regex, rich, sqlalchemy, structlog, typer, uvicorn),
)

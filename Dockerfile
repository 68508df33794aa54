# Builds a small image that runs as nobody in particular, on a read-only file system, with its data in /data.
#
#   docker build --tag fullcircle .
#   docker run --read-only --tmpfs /tmp --volume fullcircle:/data --publish 127.0.0.1:8000:8000 fullcircle

ARG PYTHON=3.13-slim-bookworm

FROM python:${PYTHON} AS build
WORKDIR /build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1
RUN python -m venv /opt/fullcircle
# Everything that is not ours comes first and from the lock, hashes and all: this layer changes seldom.
COPY requirements.lock ./
RUN /opt/fullcircle/bin/python -m pip install --require-hashes --requirement requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY app ./app
# setuptools is in the lock, so building ours downloads nothing more; what only builds is then taken away.
# Compiled here, because nothing can be written where it runs.
RUN /opt/fullcircle/bin/python -m pip install --no-deps --no-build-isolation . \
    && /opt/fullcircle/bin/python -m pip uninstall --yes setuptools pip \
    && python -m compileall -q -j 0 /opt/fullcircle

FROM python:${PYTHON}
LABEL org.opencontainers.image.title="Fullcircle" \
      org.opencontainers.image.description="From a public complaint to the engineers in charge, and back" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN groupadd --gid 10001 fullcircle \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin fullcircle \
    && install --directory --owner=10001 --group=10001 --mode=0700 /data
COPY --from=build /opt/fullcircle /opt/fullcircle
ENV PATH="/opt/fullcircle/bin:$PATH" \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    FULLCIRCLE_DATA_DIR=/data \
    FULLCIRCLE_HOST=0.0.0.0 \
    FULLCIRCLE_PORT=8000 \
    FULLCIRCLE_LOG_FORMAT=json
WORKDIR /data
VOLUME ["/data"]
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ['FULLCIRCLE_PORT'] + '/readyz', timeout=4)"]
ENTRYPOINT ["fullcircle"]
CMD ["serve"]

# Two stages: the first has pip and what the locked packages may need to be built, the second only what runs.

FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/b24sla
COPY requirements.lock /src/
RUN /opt/b24sla/bin/pip install --require-hashes -r /src/requirements.lock
COPY . /src/
RUN /opt/b24sla/bin/pip install --no-deps --no-build-isolation /src \
    && /opt/b24sla/bin/pip uninstall --yes setuptools pip

FROM python:3.13-slim
ENV PATH=/opt/b24sla/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    B24SLA_HOST=0.0.0.0 \
    B24SLA_LOG_FORMAT=json
RUN useradd --system --uid 10001 --home-dir /data --create-home b24sla
COPY --from=build /opt/b24sla /opt/b24sla
# The default database is var/b24sla.db, relative to here; rules and .env may be mounted here too.
WORKDIR /data
USER b24sla
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD python -c "import os, urllib.request; \
    urllib.request.urlopen('http://127.0.0.1:%s/healthz' % (os.environ.get('B24SLA_PORT') or 8080), timeout=4)"
ENTRYPOINT ["b24sla"]
CMD ["serve"]

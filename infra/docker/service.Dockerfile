# Every image of the platform, from the root of the repository:
#   docker build -f infra/docker/service.Dockerfile --build-arg SERVICE=ingest .
#   docker build -f infra/docker/service.Dockerfile --target provision .
# NODE_IMAGE may be pinned by digest: see scripts/pin-images.mjs.
ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /build
COPY package.json pnpm-lock.yaml pnpm-workspace.yaml .npmrc ./
COPY scripts/fetch-pnpm.mjs scripts/
# pnpm with the hash that package.json pins, then every dependency by the lockfile alone: sources do not touch this layer.
RUN node scripts/fetch-pnpm.mjs --prefix /usr/local --global && pnpm fetch
COPY tsconfig.json tsconfig.base.json ./
COPY packages packages
COPY services services
COPY tools tools
COPY infra/docker infra/docker
RUN pnpm install --offline --frozen-lockfile && pnpm exec tsc --build tools/launcher services/*

# One service with its production dependencies, at the lockfile's versions. Workspace packages are injected: copied, not
# linked, so that the folder stands alone. Of each only `dist` is copied (`files` of its package.json): no source, test or kit.
FROM build AS deploy
ARG SERVICE
RUN test -n "$SERVICE" || { echo "pass --build-arg SERVICE=<a folder of services/>" >&2; exit 2; }
RUN pnpm --config.inject-workspace-packages=true --filter "@perennial/service-$SERVICE" deploy --prod /app \
 && sh infra/docker/trim.sh /app && rm -f /app/pnpm-lock.yaml

# The workspace with production dependencies alone: the commands of three services share one copy of each package.
# (Optional ones are the native stack's PostgreSQL, which no container needs.)
FROM build AS deploy-provision
RUN rm -rf node_modules packages/*/*/node_modules services/*/node_modules tools/*/node_modules \
 && pnpm install --offline --frozen-lockfile --prod --no-optional --filter @perennial/launcher... --filter "{./services/*}..." \
 && sh infra/docker/trim.sh /build \
 && rm -rf packages/*/*/src packages/*/*/testing services/*/src tools/*/src infra pnpm-lock.yaml tsconfig*.json

FROM ${NODE_IMAGE} AS runtime
# ONNX Runtime sends usage events to its maker unless told not to.
ENV NODE_ENV=production ORT_DISABLE_TELEMETRY=1
WORKDIR /app
STOPSIGNAL SIGTERM

# The one-shot step that makes topics and tables and puts the configuration in force: the launcher's provisioning code with
# the services' commands.
FROM runtime AS provision
ENV PERENNIAL_HOME=/state PORT=0
# New volumes take their owner from here.
RUN install -d -m 700 -o node -g node /state /var/lib/perennial/artifacts
COPY --from=deploy-provision /build ./
COPY infra/defaults infra/defaults
COPY infra/presets infra/presets
COPY trainer/models trainer/models
RUN chmod -R a+rX infra trainer
USER node
VOLUME /state
ENTRYPOINT ["node", "tools/launcher/dist/provision-once.js"]

FROM runtime AS service
ENV HOST=0.0.0.0 PORT=8080
# A new volume takes its owner from here.
RUN install -d -m 700 -o node -g node /var/lib/perennial/snapshots /var/lib/perennial/artifacts /var/lib/perennial/archive
COPY --from=deploy /app ./
COPY infra/docker/healthcheck.mjs ./
USER node
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["node", "healthcheck.mjs"]
# Under a name that the container keeps over its restarts, a killed service has its partitions back at once.
ENTRYPOINT ["sh", "-c", "INSTANCE_ID=\"${INSTANCE_ID:-$HOSTNAME}\" exec node dist/main.js \"$@\"", "service"]

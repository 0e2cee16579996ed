# The one-shot step that makes topics and tables and puts the configuration in force: the launcher's provisioning code with
# the services' commands. Build from the root of the repository: docker build -f infra/docker/provision.Dockerfile .
# The stage "build" is the same as in each service's Dockerfile up to its last step, so that all images share its layers.
FROM node:24-bookworm-slim AS build
WORKDIR /build
COPY package.json pnpm-lock.yaml pnpm-workspace.yaml .npmrc ./
# pnpm at the version that package.json pins, then every dependency by the lockfile alone: sources do not touch this layer.
RUN npm install --global --prefix /usr/local --no-fund --no-audit --no-update-notifier "$(node -p 'require("./package.json").packageManager')" \
 && pnpm fetch
COPY tsconfig.json tsconfig.base.json ./
COPY packages packages
COPY services services
COPY tools tools
COPY infra/docker infra/docker
RUN pnpm install --offline --frozen-lockfile && pnpm exec tsc --build tools/launcher services/*
# The workspace again, with production dependencies alone: the commands of three services share one copy of each package.
# (Optional ones are the native stack's PostgreSQL, which no container needs.)
RUN rm -rf node_modules packages/*/*/node_modules services/*/node_modules tools/*/node_modules \
 && pnpm install --offline --frozen-lockfile --prod --no-optional --filter @perennial/launcher... --filter "{./services/*}..." \
 && sh infra/docker/trim.sh /build \
 && rm -rf packages/*/*/src services/*/src tools/*/src infra pnpm-lock.yaml tsconfig*.json

FROM node:24-bookworm-slim
ENV NODE_ENV=production PERENNIAL_HOME=/state PORT=0 ORT_DISABLE_TELEMETRY=1
WORKDIR /app
RUN mkdir /state && chown node:node /state
COPY --from=build /build ./
COPY infra/defaults infra/defaults
COPY trainer/models/default trainer/models/default
RUN chmod -R a+rX infra trainer
USER node
VOLUME /state
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "tools/launcher/dist/provision-once.js"]

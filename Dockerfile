# The image of Dagwright: compiled code and production packages on a small Node, no compiler, no PostgreSQL inside.
# `npx node deploy/check-image.ts` performs these steps without a container engine and tries the result; so that it can,
# RUN lines work in the current folder only.
ARG NODE_IMAGE=node:24.21.0-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src src
RUN npm run build -- --declaration false

FROM ${NODE_IMAGE} AS packages
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund

# An allocator that gives memory back: a minute after a burst of large and hostile input a process of everything had 423 MB with
# the C library's, 191 MB with this one (docs/chaos.md).
FROM ${NODE_IMAGE} AS allocator
WORKDIR /app
RUN apt-get update -qq && apt-get download -qq libjemalloc2 && dpkg-deb -x libjemalloc2_*.deb . && cp usr/lib/*/libjemalloc.so.2 ./

FROM ${NODE_IMAGE}
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Dagwright" \
  org.opencontainers.image.description="Durable DAG workflows on nothing but PostgreSQL" \
  org.opencontainers.image.licenses="MIT" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.revision="${REVISION}"
# Look-ups of names that nobody answers must not hold up all others. With PORT every role answers probes; on this HOST the
# API starts only with a key.
ENV NODE_ENV=production UV_THREADPOOL_SIZE=16 HOST=0.0.0.0 PORT=3000
ENV LD_PRELOAD=./libjemalloc.so.2 MALLOC_CONF=background_thread:true
WORKDIR /app
COPY --from=allocator /app/libjemalloc.so.2 ./
COPY LICENSE ./
COPY entry entry
COPY drizzle drizzle
COPY --from=packages /app/package.json ./
COPY --from=packages /app/node_modules node_modules
COPY --from=build /app/dist dist
# The user "node" of the base image, as a number, so that Kubernetes can tell that it is not root. It owns nothing here.
USER 1000:1000
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s --retries=3 CMD ["node", "dist/cli/main.js", "health"]
# Node itself is process 1: it gets SIGTERM, and starts no processes that it would have to reap.
ENTRYPOINT ["node", "dist/cli/main.js"]
CMD ["start"]

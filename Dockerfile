# Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.
#
# One image for all that the charts run: hubhome and hubhome-kube, static, and nothing else.
#
#     docker buildx build --tag hubhome --output type=image,rewrite-timestamp=true \
#       --build-arg VERSION="$(git describe --tags --always)" --build-arg REVISION="$(git rev-parse HEAD)" \
#       --build-arg SOURCE_DATE_EPOCH="$(git log -1 --format=%ct)" .
#
# The same sources, VERSION and toolchain make the same binaries, byte for byte: a test builds them twice. SOURCE_DATE_EPOCH
# and rewrite-timestamp make the same image of them. The toolchain is pinned by its version here; to pin what is in it as
# well, give --build-arg GO_IMAGE=golang:1.26.8-bookworm@sha256:… with the digest that
# `docker buildx imagetools inspect golang:1.26.8-bookworm` prints.

ARG GO_IMAGE=docker.io/library/golang:1.26.8-bookworm

# The toolchain is that of the machine that builds, whatever it builds for.
FROM --platform=$BUILDPLATFORM ${GO_IMAGE} AS build
WORKDIR /src
# The modules first: they change less often than the sources.
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=unknown
ARG TARGETOS=linux
ARG TARGETARCH
ENV CGO_ENABLED=0 GOFLAGS=-mod=readonly GOTOOLCHAIN=local
RUN GOOS=${TARGETOS} GOARCH=${TARGETARCH} go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=${VERSION}" -o /out/ ./cmd/...

# Nothing that could be outdated: the binaries need no C library, no certificates and no time zones, and start no program.
FROM scratch
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="hubhome" \
      org.opencontainers.image.description="Home directories for JupyterHub users" \
      org.opencontainers.image.url="https://github.com/hubhome/hubhome" \
      org.opencontainers.image.source="https://github.com/hubhome/hubhome" \
      org.opencontainers.image.documentation="https://github.com/hubhome/hubhome/tree/main/docs" \
      org.opencontainers.image.vendor="The hubhome authors" \
      org.opencontainers.image.licenses="BSD-3-Clause" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# With modes of their own: those of a checkout are its machine's.
COPY --chmod=0644 LICENSE /usr/share/doc/hubhome/LICENSE
COPY --from=build --chmod=0755 /out/hubhome /out/hubhome-kube /usr/local/bin/
# As nobody in particular. The server says for itself what it needs: see the chart home-server.
USER 65532:65532
ENV PATH=/usr/local/bin
ENTRYPOINT ["/usr/local/bin/hubhome"]

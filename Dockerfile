# serval in a container: `docker build -t serval .` makes an image that serves the hello example on port 8000 and is the base for images of your
# own apps; `docker build --target sdk -t serval-sdk .` makes the one that such apps are built in. README.md, "In a container", has both.
ARG BASE=debian:bookworm-slim

FROM ${BASE} AS sdk
ARG JOBS=
COPY packaging /src/packaging
RUN /src/packaging/setup build && apt-get clean && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin
COPY . /src
RUN cd /src && . packaging/steps.sh \
 && cmake --preset release -DSERVAL_BUILD_TESTS=OFF -DCMAKE_INSTALL_PREFIX=/usr/local \
 && cmake --build --preset release -j "${JOBS:-$(jobs)}" \
 && cmake --install build/release \
 && DESTDIR=/image cmake --install build/release \
 && install -D build/release/examples/hello/libhello.so /image/app/libhello.so \
 && rm -rf build /image/usr/local/include /image/usr/local/share/cmake /image/usr/local/share/pkgconfig

# `docker build --target minimal -t serval-minimal .`: serval, its libraries and the hello example, and nothing else: no shell, no Debian. Stacks have
# function names of exported symbols only, unless libdw is bundled, too.
FROM sdk AS bundle
RUN mkdir -p -m 1777 /bundle/tmp && mkdir -p /app && cp /image/app/libhello.so /app/ \
 && /src/packaging/bundle /bundle /usr/local/bin/serval /app/libhello.so

FROM scratch AS minimal
COPY --from=bundle /bundle /
WORKDIR /app
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s CMD ["/usr/local/bin/serval", "healthcheck"]
CMD ["/usr/local/bin/serval", "run", "/app/libhello.so", "-b", "0.0.0.0:8000"]

FROM ${BASE}
COPY packaging/setup packaging/packages /tmp/packaging/
RUN /tmp/packaging/setup run && apt-get clean && rm -rf /tmp/packaging /var/lib/apt/lists/* /var/cache/apt/*.bin
COPY --from=sdk /image /
WORKDIR /app
# A number, since Kubernetes cannot see that a name is not root (runAsNonRoot). Any other will do as well: no entry in /etc/passwd is needed.
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
# It holds while the app preloads, so that nobody is killed for that; `serval healthcheck --ready` says whether traffic may be sent.
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s CMD ["serval", "healthcheck"]
CMD ["serval", "run", "/app/libhello.so", "-b", "0.0.0.0:8000"]

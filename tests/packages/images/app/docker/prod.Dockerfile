FROM scratch AS prod
ARG VERSION

image: {{ .Values.image }}@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
image: {{ .Values.reg }}/app:1@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
image: {{ "redis:7@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" }}
image: ${{ env.REG }}/app@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
image: redis@sha256:{{ .digest }}

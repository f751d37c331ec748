variable "image" {
  default = "ghcr.io/a/b:1.2.3@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" # redis@sha256:fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210
}
x = "${var.registry}/app:1@sha256:cafecafecafecafecafecafecafecafecafecafecafecafecafecafecafecafe"

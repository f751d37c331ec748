/* reference: the name of an image, as the distribution project defines it.
 *
 *     reference  = name [ ":" tag ] [ "@" digest ]
 *     name       = [ domain "/" ] path              at most 255 bytes in all
 *     domain     = host [ ":" port ]                host: DNS labels, IPv4, or IPv6 in brackets
 *     path       = component *( "/" component )
 *     component  = 1*( a-z 0-9 ) *( separator 1*( a-z 0-9 ) )
 *     separator  = "." | "_" | "__" | 1*"-"
 *     tag        = ( A-Z a-z 0-9 _ ) *127( A-Z a-z 0-9 _ . - )
 *     digest     = "sha256:" 64( 0-9 a-f )          see digest.h
 *
 * Normalising: the first part is a domain only if it holds "." or ":", is "localhost", or has an uppercase letter; else the
 * domain is docker.io. "index.docker.io" is docker.io. docker.io with a single component gets "library/". A bare name of 64
 * hex digits is refused. What is parsed is valid and normalised; there is no other way to make one.
 *   src  github.com/distribution/reference, normalize.go and regexp.go
 */
#pragma once

#include "gate/digest.h"

#define REFERENCE_NAME_LIMIT 255 /* bytes of domain and path */
#define REFERENCE_TAG_LIMIT  128 /* bytes */

struct reference {
    char *domain; /* "docker.io", "registry.example.com:5000", "[::1]:5000" */
    char *path;   /* "library/redis" */
    char *image;  /* domain + "/" + path: the name by which images are compared */
    char *tag;    /* NULL where there is none */
    char *digest; /* NULL where there is none */
};

/* in: text, the whole of it. err: input, with what is wrong in it. *out is empty on -1. */
int reference_parse(const char *text, struct reference *out, struct error *err) _must_check_;
int reference_copy(const struct reference *from, struct reference *out,
                   struct error *err) _must_check_;
void reference_clear(struct reference *reference);

/* "docker.io/library/redis:7.2@sha256:…", parts that are NULL left out. NULL with *err set. */
char *reference_text(const char *image, const char *tag, const char *digest,
                     struct error *err) _must_check_;

/* As people write it: docker.io/ and library/ left out: "redis", "grafana/grafana", "ghcr.io/a/b". Points into image. */
const char *reference_familiar(const char *image);

bool reference_tag_valid(const char *tag);

/* "docker.io" -> "registry-1.docker.io"; all others are themselves. */
const char *reference_api_host(const char *domain);

/* localhost, *.localhost, 127.0.0.0/8 and [::1], with or without port: plain HTTP is allowed there. */
bool reference_domain_is_loopback(const char *domain);

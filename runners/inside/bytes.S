/* The program pingate-inside as it was just linked, as bytes of pingate itself; runners/inside.c lends them. */
    .section .rodata
    .balign 16
    .globl inside_bytes
inside_bytes:
    .incbin "runners/inside/pingate-inside"
inside_bytes_end:
    .byte 0
    .balign 8
    .globl inside_bytes_size
inside_bytes_size:
    .quad inside_bytes_end - inside_bytes
#if defined(__linux__) && defined(__ELF__)
    .section .note.GNU-stack,"",%progbits
#endif

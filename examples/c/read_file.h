/* Reads a whole file into memory, for examples. */
#ifndef READ_FILE_H
#define READ_FILE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct file {
    uint8_t *data;
    size_t len;
};

/* Returns 0 and a buffer to free, or -1. A file of more than 64 MiB is refused. */
static inline int read_file(const char *path, struct file *file)
{
    const size_t max = (size_t)64 << 20;
    size_t cap = 64 << 10;
    FILE *in = fopen(path, "rb");
    file->len = 0;
    file->data = in != NULL ? malloc(cap) : NULL;
    while (file->data != NULL) {
        file->len += fread(file->data + file->len, 1, cap - file->len, in);
        if (file->len < cap) {
            break;
        }
        cap *= 2;
        uint8_t *more = cap <= max ? realloc(file->data, cap) : NULL;
        if (more == NULL) {
            free(file->data);
        }
        file->data = more;
    }
    if (file->data != NULL && ferror(in)) {
        free(file->data);
        file->data = NULL;
    }
    if (in != NULL) {
        fclose(in);
    }
    if (file->data == NULL) {
        file->len = 0;
        return -1;
    }
    return 0;
}

#endif

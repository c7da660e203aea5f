/* posix.c - a program that knows nothing of ringway and shares memory the POSIX way.
 *
 *     cc -std=c11 -o posix tests/c/posix.c
 *     ./posix make NAME BYTES     makes it, writes into it, leaves it there
 *     ./posix use NAME            prints its length and how it begins, writes behind that
 *
 * Exit codes: 0 done, 2 wrong use or refused by the system. */
#define _GNU_SOURCE

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int count, char **arguments) {
    int make = count == 4 && strcmp(arguments[1], "make") == 0;
    if (!make && (count != 3 || strcmp(arguments[1], "use") != 0)) {
        fprintf(stderr, "usage: posix make NAME BYTES | use NAME\n");
        return 2;
    }
    int file = shm_open(arguments[2], make ? O_RDWR | O_CREAT | O_EXCL : O_RDWR, 0600);
    if (file < 0 || (make && ftruncate(file, atol(arguments[3])) != 0)) {
        perror(arguments[2]);
        return 2;
    }
    struct stat found;
    if (fstat(file, &found) != 0) {
        perror(arguments[2]);
        return 2;
    }
    size_t len = (size_t)found.st_size;
    char *bytes = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (bytes == MAP_FAILED || len < 32) {
        perror(arguments[2]);
        return 2;
    }
    if (!make) {
        printf("%zu %.16s\n", len, bytes);
    }
    memcpy(bytes + (make ? 0 : 16), make ? "made by C" : "used by C", 10);
    bytes[len - 1] = 'C';
    return 0;
}

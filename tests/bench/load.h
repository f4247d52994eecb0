/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * load - many FTP transfers at once, with a client and a server that cost little: what is measured lies between them.
 *
 * Both are one thread around epoll. They speak as much FTP as it takes: USER, PASS, PORT, RETR, QUIT, IPv4.
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOAD_LINE_MAX 256

/* What is registered with epoll: first member of whatever wants to hear of a descriptor. */
struct watch {
	void (*ready)(struct watch *watch, uint32_t events);
	int fd; /* -1: closed */
};

/* A control connection's text as it comes in. */
struct lines {
	char text[LOAD_LINE_MAX];
	size_t length;
};

struct client_options {
	struct sockaddr_in server;
	unsigned int sessions;
	unsigned int transfers; /* a session, before it begins anew */
	double seconds;
	double warm_up;
	struct in_addr source; /* the first of the client's addresses that sessions come from in turn */
	unsigned int sources;  /* so many, one after the other; 0: whichever the kernel takes */
};

int load_server(uint16_t port, size_t size);
int load_client(const struct client_options *options);

/* An error that ends the program. */
void load_fail(const char *what) __attribute__((noreturn));

void load_watch(int epoll, struct watch *watch, uint32_t events);
void load_unwatch(struct watch *watch);

/* Hands the events of @milliseconds at most to those who wait for them. */
void load_dispatch(int epoll, int milliseconds);

/* Send a whole line; a control connection's buffer is never full. */
bool load_say(int fd, const char *text);

/*
 * Read what has come, and hand over each complete line, without its end, until line() returns false: then it has done
 * away with the connection. Return false when the connection is over.
 */
bool load_hear(struct watch *watch, struct lines *lines, bool (*line)(struct watch *watch, char *text));

void load_tune(int fd);

#endif

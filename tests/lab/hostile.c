// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hostile serve PORT
 * hostile hold ADDRESS PORT RATE SECONDS COUNT
 * hostile announce ADDRESS PORT RATE SECONDS COUNT LINE
 *
 * Sessions of FTP that are there to use up what others need. serve is their server: it answers whatever it is told with what
 * lets the client go on. hold opens RATE sessions a second, each of which says "PORT 1" and no line end; COUNT stay open, and
 * then the oldest is reset for each new one. announce keeps COUNT sessions, which by turns say LINE, RATE times a second
 * between them, answered or not. Says how often that was. What is left of the sessions is reset at that rate, too: all at once they
 * would be an attack of some ten thousand packets within a moment.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define EVENTS	  256
#define COUNT_MAX 100000

enum stage { GREETING, USER, PASS, READY }; /* what the client has still to hear an answer to */

struct visit {
	int fd; /* -1: none */
	enum stage stage;
};

static int epoll;

static _Noreturn void fail(const char *what)
{
	perror(what);
	exit(1);
}

static uint64_t nanoseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void allow_many_files(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static void watch(int fd, uint64_t what)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = what };
	const int one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
		fail("hostile: epoll_ctl");
}

/* Whether it could be said shows when the next is heard. */
static void say(int fd, const char *text)
{
	const ssize_t sent = send(fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT);

	(void)sent;
}

/* ---- the server ---- */

static const char *answer_to(const char *line)
{
	if (strncmp(line, "USER", 4) == 0)
		return "331 password\r\n";
	return strncmp(line, "PASS", 4) == 0 ? "230 welcome\r\n" : "200 ok\r\n";
}

/* What is no whole line yet when it comes is none later either: nobody here needs that. */
static void hear_client(int fd)
{
	char lines[4096];
	const ssize_t length = recv(fd, lines, sizeof(lines) - 1, MSG_DONTWAIT);

	if (length <= 0) {
		if (length == 0 || errno != EAGAIN)
			close(fd);
		return;
	}
	lines[length] = '\0';
	for (const char *line = lines, *end; (end = strchr(line, '\n')); line = end + 1)
		say(fd, answer_to(line));
}

static void greet(int listener)
{
	const int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);

	if (fd < 0)
		return;
	watch(fd, (uint64_t)fd);
	say(fd, "220 hostile\r\n");
}

static int serve(uint16_t port)
{
	const struct sockaddr_in6 anywhere = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	const int listener = socket(AF_INET6, SOCK_STREAM, 0), one = 1;
	struct epoll_event events[EVENTS];

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(listener, (const struct sockaddr *)&anywhere, sizeof(anywhere)) || listen(listener, 4096))
		fail("hostile: listen");
	watch(listener, (uint64_t)listener);
	for (;;) {
		const int count = epoll_wait(epoll, events, EVENTS, -1);

		for (int i = 0; i < count; i++) {
			const int fd = (int)events[i].data.u64;

			if (fd == listener)
				greet(fd);
			else
				hear_client(fd);
		}
	}
}

/* ---- clients ---- */

static struct sockaddr_storage server;
static socklen_t server_length;
static struct visit *visits;
static uint32_t visits_count;

static void reset(struct visit *visit)
{
	const struct linger at_once = { .l_onoff = 1 };

	if (visit->fd < 0)
		return;
	setsockopt(visit->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(visit->fd);
	visit->fd = -1;
}

static void begin(uint32_t number)
{
	struct visit *visit = &visits[number];

	reset(visit);
	visit->stage = GREETING;
	visit->fd = socket(server.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (visit->fd < 0)
		return;
	if (connect(visit->fd, (const struct sockaddr *)&server, server_length) && errno != EINPROGRESS) {
		reset(visit);
		return;
	}
	watch(visit->fd, number);
}

/* One step on; true when it has just logged in. */
static bool hear_server(struct visit *visit)
{
	static const char *const next[] = { [GREETING] = "USER ftp\r\n", [USER] = "PASS lab\r\n" };
	char text[512];
	const ssize_t length = visit->fd < 0 ? -1 : recv(visit->fd, text, sizeof(text), MSG_DONTWAIT);

	if (length <= 0) {
		if (length == 0 || errno != EAGAIN)
			reset(visit);
		return false;
	}
	if (visit->stage == READY)
		return false;
	if (visit->stage < PASS)
		say(visit->fd, next[visit->stage]);
	return ++visit->stage == READY;
}

/* Hears what has come, for a millisecond at the most, and says @once to those who have logged in. */
static void hear_all(const char *once)
{
	struct epoll_event events[EVENTS];
	const int count = epoll_wait(epoll, events, EVENTS, 1);

	for (int i = 0; i < count; i++) {
		struct visit *visit = &visits[events[i].data.u64];

		if (hear_server(visit) && once)
			say(visit->fd, once);
	}
}

static uint64_t hold(uint64_t rate, uint64_t end)
{
	const uint64_t start = nanoseconds();
	uint64_t passed, begun = 0;

	while ((passed = nanoseconds() - start) < end) {
		for (; begun < passed * rate / 1000000000; begun++)
			begin((uint32_t)(begun % visits_count));
		hear_all("PORT 1");
	}
	return begun;
}

/* Those whose connection has ended begin anew. */
static uint64_t announce(uint64_t rate, uint64_t end, const char *line)
{
	const uint64_t start = nanoseconds();
	uint64_t passed, turns = 0, said = 0;

	while ((passed = nanoseconds() - start) < end) {
		for (; turns < passed * rate / 1000000000; turns++) {
			const uint32_t number = (uint32_t)(turns % visits_count);
			const struct visit *visit = &visits[number];

			if (visit->fd < 0)
				begin(number);
			if (visit->fd < 0 || visit->stage != READY)
				continue;
			say(visit->fd, line);
			said++;
		}
		hear_all(NULL);
	}
	return said;
}

static void let_go(uint64_t rate)
{
	const uint64_t start = nanoseconds();
	uint32_t ended = 0;

	while (ended < visits_count) {
		const uint64_t due = (nanoseconds() - start) * rate / 1000000000;

		for (; ended < visits_count && ended < due; ended++)
			reset(&visits[ended]);
		hear_all(NULL);
	}
}

/* ---- arguments ---- */

static uint64_t number(const char *text, unsigned long max)
{
	char *end;
	const unsigned long value = strtoul(text, &end, 10);

	if (end == text || *end || value == 0 || value > max) {
		fprintf(stderr, "hostile: this is no number from 1 to %lu: `%s'\n", max, text);
		exit(2);
	}
	return value;
}

static void read_server(const char *address, uint16_t port)
{
	struct sockaddr_in *in = (void *)&server;
	struct sockaddr_in6 *in6 = (void *)&server;

	if (inet_pton(AF_INET, address, &in->sin_addr) == 1) {
		server.ss_family = AF_INET;
		server_length = sizeof(*in);
		in->sin_port = htons(port);
	} else if (inet_pton(AF_INET6, address, &in6->sin6_addr) == 1) {
		server.ss_family = AF_INET6;
		server_length = sizeof(*in6);
		in6->sin6_port = htons(port);
	} else {
		fprintf(stderr, "hostile: this is no address: `%s'\n", address);
		exit(2);
	}
}

static void make_visits(uint32_t count)
{
	visits_count = count;
	visits = calloc(count, sizeof(*visits));
	if (!visits)
		fail("hostile: calloc");
	for (uint32_t i = 0; i < count; i++)
		visits[i].fd = -1;
}

int main(int argc, char **argv)
{
	const bool serves = argc == 3 && strcmp(argv[1], "serve") == 0;
	const bool holds = argc == 7 && strcmp(argv[1], "hold") == 0;
	const bool announces = argc == 8 && strcmp(argv[1], "announce") == 0;
	uint64_t rate, end, done;

	if (!serves && !holds && !announces) {
		fprintf(stderr, "usage: hostile serve PORT | hold ADDRESS PORT RATE SECONDS COUNT | "
				"announce ADDRESS PORT RATE SECONDS COUNT LINE\n");
		return 2;
	}
	allow_many_files();
	epoll = epoll_create1(0);
	if (serves)
		return serve((uint16_t)number(argv[2], UINT16_MAX));
	read_server(argv[2], (uint16_t)number(argv[3], UINT16_MAX));
	rate = number(argv[4], 1000000);
	end = 1000000000 * number(argv[5], 86400);
	make_visits((uint32_t)number(argv[6], COUNT_MAX));
	done = holds ? hold(rate, end) : announce(rate, end, argv[7]);
	let_go(rate);
	printf("%llu times\n", (unsigned long long)done);
	return 0;
}

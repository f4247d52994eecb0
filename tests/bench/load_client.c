// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The client: a number of sessions at once, each of which logs in, fetches a file again and again in active mode, logs
 * out and begins anew. A session listens on one port of its own as long as it lasts. A transfer lasts from PORT to 226
 * and the end of the data, whichever is later; one that takes more than PATIENCE is a failure, and so is whatever else
 * ends a session.
 */
#include "core/wire/endpoint.h"
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE      2.0 /* seconds */
#define LATENCIES_MAX (1u << 20)

struct session {
	struct watch control; /* first */
	struct watch listener;
	struct watch data;
	struct lines lines;
	char port_line[64];
	unsigned int transfers;
	double begun;  /* when the transfer was */
	bool complete; /* 226 has come */
	bool received; /* the data's end has come */
};

static int epoll;
static struct client_options options;
static struct session *sessions;
static double *latencies; /* of the transfers that counted, in seconds */
static size_t transfers, failures;
static double counting_from;

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void begin_session(struct session *session);

static void end_session(struct session *session, bool failed)
{
	failures += failed;
	load_unwatch(&session->data);
	load_unwatch(&session->listener);
	load_unwatch(&session->control);
	begin_session(session);
}

/* ---- transfers ---- */

static void begin_transfer(struct session *session)
{
	session->begun = now();
	session->complete = session->received = false;
	load_say(session->control.fd, session->port_line);
}

static void next_transfer(struct session *session)
{
	if (!session->complete || !session->received)
		return;
	if (session->begun >= counting_from && transfers < LATENCIES_MAX)
		latencies[transfers++] = now() - session->begun;
	if (++session->transfers < options.transfers)
		begin_transfer(session);
	else
		load_say(session->control.fd, "QUIT\r\n");
}

static void data_ready(struct watch *watch, uint32_t events)
{
	struct session *session = (struct session *)(void *)((char *)watch - offsetof(struct session, data));
	static char content[65536];
	ssize_t got;

	(void)events;
	do {
		got = recv(watch->fd, content, sizeof(content), 0);
	} while (got > 0);
	if (got < 0 && errno == EAGAIN)
		return;
	load_unwatch(watch);
	session->received = got == 0;
	next_transfer(session);
}

static void listener_ready(struct watch *watch, uint32_t events)
{
	struct session *session = (struct session *)(void *)((char *)watch - offsetof(struct session, listener));
	const int fd = accept4(watch->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)events;
	if (fd < 0)
		return;
	load_unwatch(&session->data);
	session->data = (struct watch){ data_ready, fd };
	load_watch(epoll, &session->data, EPOLLIN);
}

/* ---- the dialogue ---- */

static void listen_for_data(struct session *session)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t length = sizeof(address);
	struct endpoint announced = { .family = FAMILY_IPV4 };
	int written;

	if (getsockname(session->control.fd, (struct sockaddr *)&address, &length) < 0)
		load_fail("address");
	address.sin_port = 0;
	session->listener =
		(struct watch){ listener_ready, socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0) };
	if (session->listener.fd < 0 ||
	    bind(session->listener.fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(session->listener.fd, 4) < 0 ||
	    getsockname(session->listener.fd, (struct sockaddr *)&address, &length) < 0)
		load_fail("data port");
	load_watch(epoll, &session->listener, EPOLLIN);
	memcpy(announced.address, &address.sin_addr, 4);
	announced.port = ntohs(address.sin_port);
	memcpy(session->port_line, "PORT ", 5);
	written = endpoint_write(NOTATION_HOST_PORT, &announced, 0, session->port_line + 5,
				 sizeof(session->port_line) - 5 - 3);
	if (written < 0)
		load_fail("announcement");
	memcpy(session->port_line + 5 + written, "\r\n", 3);
}

static bool reply(struct watch *watch, char *text)
{
	struct session *session = (struct session *)watch;
	const long code = strtol(text, NULL, 10);

	switch (code) {
	case 220:
		return load_say(watch->fd, "USER ftp\r\n");
	case 331:
		return load_say(watch->fd, "PASS lab\r\n");
	case 230:
		listen_for_data(session);
		begin_transfer(session);
		return true;
	case 200:
		return load_say(watch->fd, "RETR file\r\n");
	case 150:
		return true;
	case 226:
		session->complete = true;
		next_transfer(session);
		return true;
	default:
		end_session(session, code != 221);
		return false;
	}
}

static void control_ready(struct watch *watch, uint32_t events)
{
	struct session *session = (struct session *)watch;

	if ((events & EPOLLERR) || !load_hear(watch, &session->lines, reply))
		end_session(session, true);
}

static void come_from(const struct session *session)
{
	const uint32_t turn = (uint32_t)(session - sessions) % options.sources;
	const struct sockaddr_in source = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(ntohl(options.source.s_addr) + turn),
	};
	int on = 1;

	setsockopt(session->control.fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	if (bind(session->control.fd, (const struct sockaddr *)&source, sizeof(source)) < 0)
		load_fail("source");
}

static void begin_session(struct session *session)
{
	*session = (struct session){ .control = { control_ready, -1 }, .begun = now() };
	session->listener.fd = session->data.fd = -1;
	session->control.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (session->control.fd < 0)
		load_fail("socket");
	load_tune(session->control.fd);
	if (options.sources)
		come_from(session);
	if (connect(session->control.fd, (const struct sockaddr *)&options.server, sizeof(options.server)) < 0 &&
	    errno != EINPROGRESS)
		load_fail("connect");
	load_watch(epoll, &session->control, EPOLLIN);
}

/* ---- all of it ---- */

static void end_stuck_sessions(void)
{
	const double time = now();

	for (unsigned int i = 0; i < options.sessions; i++)
		if (time - sessions[i].begun > PATIENCE)
			end_session(&sessions[i], true);
}

static int compare(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void tell(double seconds)
{
	qsort(latencies, transfers, sizeof(*latencies), compare);
	printf("%zu %.6f %zu %.1f %.1f %.1f\n", transfers, seconds, failures, latencies[transfers / 2] * 1e6,
	       latencies[transfers * 99 / 100] * 1e6, latencies[transfers ? transfers - 1 : 0] * 1e6);
}

int load_client(const struct client_options *given)
{
	double looked, end;

	options = *given;
	epoll = epoll_create1(EPOLL_CLOEXEC);
	sessions = calloc(options.sessions, sizeof(*sessions));
	latencies = calloc(LATENCIES_MAX, sizeof(*latencies));
	if (epoll < 0 || !sessions || !latencies)
		load_fail("client");
	looked = now();
	counting_from = looked + options.warm_up;
	end = counting_from + options.seconds;
	for (unsigned int i = 0; i < options.sessions; i++)
		begin_session(&sessions[i]);
	while (now() < end) {
		load_dispatch(epoll, 100);
		if (now() - looked > 0.5) {
			end_stuck_sessions();
			looked = now();
		}
	}
	tell(end - counting_from);
	return 0;
}

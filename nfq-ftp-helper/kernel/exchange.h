/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * exchange - questions to the kernel over one netlink socket, several in one system call, and their answers.
 *
 *   message = exchange_add(exchange, type, flags, family);	and its attributes; up to EXCHANGE_MESSAGES times
 *   error = exchange_run(exchange);				then exchange->answer[] has as many, in that order
 *
 * A message without NLM_F_ACK must be one that the kernel answers with an object: each has exactly one answer.
 */
#ifndef KERNEL_EXCHANGE_H
#define KERNEL_EXCHANGE_H

#include "ctmessage.h"

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/uio.h>

struct mnl_socket;

#define EXCHANGE_MESSAGES   16
#define EXCHANGE_ANSWER_MAX 8192  /* what the kernel allocates for a single object at most */
#define EXCHANGE_WALK_MAX   32768 /* and for a piece of a dump */

struct answer {
	bool there;			/* what else came with its number is not looked at */
	int error;			/* 0 or a negative errno */
	const struct nlmsghdr *message; /* an object; NULL for an acknowledgement or an error */
};

struct exchange {
	struct mnl_socket *socket;
	uint64_t runs;	    /* round trips so far */
	uint32_t seq;	    /* of the first message */
	unsigned int stale; /* pieces of a walk that answer something else */
	unsigned int count; /* messages in request[] */
	bool sent;	    /* they have been: the next message begins another exchange */
	struct answer answer[EXCHANGE_MESSAGES];
	uint8_t *free[EXCHANGE_MESSAGES];	    /* of received[]: those that hold no answer */
	struct mmsghdr datagram[EXCHANGE_MESSAGES]; /* what was received into them last */
	struct iovec piece[EXCHANGE_MESSAGES];
	struct sockaddr_nl sender[EXCHANGE_MESSAGES];
	_Alignas(8) uint8_t request[EXCHANGE_MESSAGES][CTMESSAGE_MAX];
	_Alignas(8) uint8_t received[EXCHANGE_MESSAGES][EXCHANGE_ANSWER_MAX];
	_Alignas(8) uint8_t walked[EXCHANGE_WALK_MAX];
};

/* A socket of @protocol, NETLINK_NETFILTER as a rule. @exchange is the caller's memory. Return: 0, or a negative errno. */
int exchange_open(struct exchange *exchange, int protocol);
void exchange_close(struct exchange *exchange);

/* One that is there, with all its memory, as long as @ask takes. Return: what that returns, or a negative errno. */
int exchange_once(int protocol, int (*ask)(struct exchange *exchange, void *context), void *context);

/* One more message, to be filled in; as ctmessage_begin(). The first behind one that was sent begins another exchange. */
struct nlmsghdr *exchange_add(struct exchange *exchange, unsigned int type, unsigned int flags, uint8_t family);

/**
 * exchange_run - send what was added, wait for all answers
 * @exchange: answer[] is filled in, and stays until the next exchange
 *
 * Return: 0, or a negative errno when the exchange itself failed: then nobody knows what the kernel has done.
 */
int exchange_run(struct exchange *exchange);

/* Send what was added, if anything was, without waiting: nothing in it asks for an answer, and an error would be of no use. */
int exchange_post(struct exchange *exchange);

/* The same as exchange_run() for a single message. Return: also its answer's error. */
int exchange_run_one(struct exchange *exchange);

/**
 * exchange_walk - send a single message with NLM_F_DUMP, look at all objects
 * @exchange: with that message
 * @look: called with each object
 * @context: for @look
 *
 * Return: 0, or a negative errno.
 */
int exchange_walk(struct exchange *exchange, void (*look)(void *context, const struct nlmsghdr *object), void *context);

/* The same piece by piece. Nothing else may be sent meanwhile. Return: 0, or a negative errno. */
int exchange_walk_begin(struct exchange *exchange);

/* The next piece. Return: 1 when more follow, 0 at the end, or a negative errno. */
int exchange_walk_on(struct exchange *exchange, void (*look)(void *context, const struct nlmsghdr *object),
		     void *context);

/* The attributes of an object that must be of @type. Return: their length in bytes, or -EBADMSG. */
int exchange_attributes(const struct nlmsghdr *object, unsigned int type, const void **attributes);

#endif

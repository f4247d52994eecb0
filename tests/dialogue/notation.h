/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * notation - an address and a port as real ends write them, which is not always as the RFCs do.
 */
#ifndef DIALOGUE_NOTATION_H
#define DIALOGUE_NOTATION_H

#include "talk.h"

#define NOTATION_TEXT 256

/* What is written, and whether it names the address that is to be dialled (else only its port does). */
struct written {
	char text[NOTATION_TEXT];
	bool named;
};

/* The server's replies, without their end. */
void notation_227(struct talk *talk, uint16_t port, struct written *written);
void notation_228(struct talk *talk, uint16_t port, struct written *written);
void notation_229(struct talk *talk, uint16_t port, struct written *written);

/* The client's commands. */
void notation_port(struct talk *talk, uint16_t port, struct written *written);
void notation_lprt(struct talk *talk, uint16_t port, struct written *written);
void notation_eprt(struct talk *talk, uint16_t port, struct written *written);

#endif

// SPDX-License-Identifier: GPL-2.0-or-later
#include "state.h"

#if defined(__SANITIZE_ADDRESS__)
#define CHECKED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CHECKED 1
#endif
#endif

#define TO(state) (1u << (state))

/* state.h's table, a row a state. To stay is no change. */
static const uint16_t follows[] = {
	[SESSION_FREE] = TO(SESSION_HANDSHAKE),
	[SESSION_HANDSHAKE] = TO(SESSION_GREETING) | TO(SESSION_MIDDLE) | TO(SESSION_CLOSED),
	[SESSION_GREETING] = TO(SESSION_READY) | TO(SESSION_MIDDLE) | TO(SESSION_OPAQUE) | TO(SESSION_CLOSED),
	[SESSION_MIDDLE] = TO(SESSION_EXCHANGE) | TO(SESSION_READY) | TO(SESSION_OPAQUE) | TO(SESSION_CLOSED),
	[SESSION_EXCHANGE] =
		TO(SESSION_READY) | TO(SESSION_MIDDLE) | TO(SESSION_TLS) | TO(SESSION_OPAQUE) | TO(SESSION_CLOSED),
	[SESSION_READY] = TO(SESSION_MIDDLE) | TO(SESSION_TLS) | TO(SESSION_OPAQUE) | TO(SESSION_CLOSED),
	[SESSION_TLS] = TO(SESSION_MIDDLE) | TO(SESSION_OPAQUE) | TO(SESSION_CLOSED),
	[SESSION_OPAQUE] = TO(SESSION_CLOSED),
	[SESSION_CLOSED] = TO(SESSION_FREE),
};

bool state_follows(enum session_state from, enum session_state to)
{
	return from == to || follows[from] & TO(to);
}

void state_enter(struct session *session, enum session_state state)
{
#ifdef CHECKED
	if (!state_follows((enum session_state)session->state, state))
		__builtin_trap();
#endif
	session->state = (uint8_t)state;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine.h"

const struct policy policy_default = {
	.foreign = POLICY_FOREIGN_MEND,
	.min_port = 1024,
	.port_low = 49152, /* RFC 6335: the dynamic ports */
	.port_high = 65535,
	.port_tries = 16,
	.expect_longest = FTP_EXPECTED_LONGEST,
	.idle_timeout = 5 * 24 * 3600, /* as conntrack's own for an established connection */
	.client_sessions = 16384,
	.client_rate = 5000,
	.client_tries = 1000, /* of some 10 microseconds each */
};

uint64_t engine_random(struct engine *engine)
{
	uint64_t z = engine->random += 0x9e3779b97f4a7c15; /* splitmix64 */

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "records.h"

#include "core/dialogue/dialogue.h"

bool records_follow(const struct passage *passage)
{
	const struct stream *stream = passage->stream;
	const struct tls_records *records = &passage->turn->session->tls[passage->turn->direction];

	return tls_records_inside(records) ||
	       tls_records_begins(records, &stream->line, *passage_bytes(passage, stream->next));
}

bool records_begin_unseen(const struct passage *passage)
{
	const struct stream *stream = passage->stream;
	const uint8_t *bytes = passage_bytes(passage, stream->next);
	const uint32_t length = passage->run_end - stream->next;

	/* However few of them have come: small segments are what the server may ask for. */
	return passage->turn->direction == DIRECTION_ORIGINAL && tls_records_is_type(bytes[0]) &&
	       (length < 2 || bytes[1] == 3) && (length < 3 || bytes[2] <= 4);
}

bool records_read(struct passage *passage)
{
	struct stream *stream = passage->stream;
	struct turn *turn = passage->turn;
	enum tls_event event;

	stream->next += (uint32_t)tls_records_read(&turn->session->tls[turn->direction], &stream->line,
						   passage->turn->direction, passage_bytes(passage, stream->next),
						   passage->run_end - stream->next, &event);
	if (event == TLS_LINE)
		dialogue_out_of_tls(turn);
	else if (event == TLS_STRANGE)
		dialogue_no_record(turn);
	return event != TLS_MORE;
}

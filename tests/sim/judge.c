// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Would an endpoint's TCP take this segment, as it stands now? RFC 9293 section 3.10.7 with RFC 5961's stricter rules for
 * RST, SYN and acknowledgements, as Linux has them. This decides what a third party can do to an honest connection at
 * all, and is written without a look at core.
 */
#include "sim.h"

static bool after(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) > 0;
}

static enum judgement judge_syn_sent(const struct sim *sim, const struct tcp *tcp, const struct view *view)
{
	const uint32_t early = sim->script.fast_open ? STREAM_MAX : 0;
	const bool acks_syn = (view->flags & TCP_ACK) && view->ack - (tcp->habit->iss + 1) <= early;

	if (view->flags & TCP_ACK)
		return acks_syn && (view->flags & (TCP_RST | TCP_SYN)) ? TAKES : REFUSES;
	return view->flags & TCP_SYN ? TAKES : REFUSES; /* both open at once */
}

static enum judgement judge_syn_received(const struct tcp *tcp, const struct view *view)
{
	const uint32_t offset = view->seq - (tcp->peer_iss + 1);

	if (view->flags & TCP_RST)
		return offset == tcp->in_next ? TAKES : REFUSES;
	if (view->flags & TCP_SYN)
		return view->seq == tcp->peer_iss && !(view->flags & TCP_ACK) ? HARMLESS : REFUSES;
	if (!(view->flags & TCP_ACK) || view->ack != tcp->habit->iss + 1)
		return REFUSES;
	return after(offset, tcp->in_next + tcp->habit->window) || after(tcp->in_next, offset + view->length) ?
		       REFUSES :
		       TAKES;
}

static enum judgement judge_open(const struct tcp *tcp, const struct view *view)
{
	const uint32_t offset = view->seq - (tcp->peer_iss + 1), edge = tcp->in_next + tcp->habit->window;
	const uint32_t end = offset + view->length + !!(view->flags & TCP_FIN);
	const uint32_t ack = view->ack - (tcp->habit->iss + 1);

	if (view->flags & TCP_RST)
		return offset == tcp->in_next ? TAKES : REFUSES;
	if (after(tcp->acked_in, end) || after(offset, edge) || (end != offset && offset == edge))
		return REFUSES;
	if ((view->flags & TCP_SYN) || !(view->flags & TCP_ACK))
		return REFUSES;
	if (after(ack, tcp->top) || after(tcp->una - tcp->peer_window_max, ack))
		return REFUSES;
	if (after(ack, tcp->una) || (view->flags & TCP_URG) ||
	    (uint32_t)view->window << tcp->peer_scale != tcp->peer_window)
		return TAKES;
	return after(end, tcp->in_next) ? TAKES : HARMLESS;
}

enum judgement judge_segment(const struct sim *sim, const struct tcp *tcp, const struct view *view)
{
	switch (tcp->state) {
	case TCP_LISTEN:
		return tcp->side == SERVER && (view->flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN ? TAKES :
													 REFUSES;
	case TCP_SYN_SENT:
		return judge_syn_sent(sim, tcp, view);
	case TCP_SYN_RECEIVED:
		return judge_syn_received(tcp, view);
	case TCP_OPEN:
		return judge_open(tcp, view);
	default:
		return REFUSES;
	}
}

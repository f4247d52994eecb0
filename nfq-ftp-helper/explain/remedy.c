// SPDX-License-Identifier: GPL-2.0-or-later
#include "remedy.h"

const char *remedy_of(enum refusal refusal)
{
	static const char *const remedies[REFUSALS] = {
		[REFUSED_NO_GREETING] = "no client announces before the greeting: see what sent it",
		[REFUSED_NO_EXCHANGE] = "capture the connection from its beginning; live, the next command opens",
		[REFUSED_NOT_FTP] = "a client of FTP must begin with FTP commands; what else it is needs no helper",
		[REFUSED_MALFORMED] = "the sender must write it as RFC 959, 2428 or 1639 has it, octets up to 255",
		[REFUSED_TOO_LONG] = "the sender must write an address and a port, and nothing else",
		[REFUSED_STALLED] = "the sender must send the whole argument without waiting for the other side",
		[REFUSED_STALE] = "the client asks again, and then it opens",
		[REFUSED_ADDRESS] = "the sender must name its own address; from server to server (FXP) it does not",
		[REFUSED_FOREIGN] = "set the public address at the server (vsftpd: pasv_address, pure-ftpd: -P)",
		[REFUSED_PORT] = "the sender must announce a port of 1024 or more: below are services",
		[REFUSED_UNASKED] = "only PASV, EPSV and LPSV are answered so: see what the server answers",
		[REFUSED_PIPELINE] = "the client must wait for some replies before it asks for more",
		[REFUSED_SPACE] = "a larger segment size on the path (MSS) gives it room",
	};

	return remedies[refusal];
}

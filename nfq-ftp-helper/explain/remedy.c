// SPDX-License-Identifier: GPL-2.0-or-later
#include "remedy.h"

const char *remedy_of(enum refusal refusal)
{
	static const char *const remedies[REFUSALS] = {
		[REFUSED_NO_GREETING] =
			"an announcement before the server's greeting is none of a client's: see what sent it",
		[REFUSED_NO_EXCHANGE] =
			"capture the connection from its beginning; in operation the next command opens it",
		[REFUSED_NOT_FTP] =
			"if it is FTP, the client's first lines must be FTP commands; what else uses the port "
			"needs no helper",
		[REFUSED_MALFORMED] = "the sender must write h1,h2,h3,h4,p1,p2, each at most 255 (RFC 959), or as "
				      "RFC 2428 has it",
		[REFUSED_TOO_LONG] = "the sender must write the address and nothing else into the argument",
		[REFUSED_STALLED] = "the sender must send the whole argument without waiting for an acknowledgement",
		[REFUSED_STALE] = "the client asks again, and then it opens",
		[REFUSED_ADDRESS] =
			"the client must announce its own address; a transfer between two servers (FXP) names another's",
		[REFUSED_FOREIGN] =
			"set the server's public address in its configuration (vsftpd: pasv_address, proftpd: "
			"MasqueradeAddress, pure-ftpd: -P)",
		[REFUSED_PORT] = "the sender must announce a port of 1024 or more: below are services",
		[REFUSED_UNASKED] =
			"only a PASV, EPSV or LPSV of the client's is answered so: see what the server answers",
		[REFUSED_PIPELINE] = "the client must wait for some replies before it asks for more",
		[REFUSED_SPACE] = "a larger segment size on the path (MSS) gives it room",
	};

	return remedies[refusal];
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <locale.h>

#include "cli/cli.h"

int main(int argc, char **argv)
{
	/* which bytes of a name are printable; numbers stay as they are */
	(void)setlocale(LC_CTYPE, "");
	return thaw_cli_main(argc, argv);
}

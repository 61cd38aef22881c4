/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "main/detach.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"

/* What the child sends. */
struct report {
	unsigned char status;
	char text[1023];
};

static int print_failure(int status, const char *text)
{
	(void)fprintf(stderr, "thawfs: %s\n", text);
	return status;
}

static int died(pid_t child)
{
	int how;

	if (waitpid(child, &how, 0) == child && WIFSIGNALED(how))
		(void)fprintf(stderr,
			      "thawfs: the daemon was ended by signal %d (%s) as it started\n",
			      WTERMSIG(how), strsignal(WTERMSIG(how)));
	else
		(void)fprintf(stderr, "thawfs: the daemon ended as it started; see its log\n");
	return EXIT_FAILURE;
}

/* In the parent: its exit status. */
static int wait_for_report(int fd, pid_t child)
{
	struct report report = {0};
	size_t len = 0;

	while (len < sizeof(report)) {
		ssize_t n = read(fd, (char *)&report + len, sizeof(report) - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	if (len < sizeof(report))
		return died(child);
	if (report.status == 0)
		return 0;
	report.text[sizeof(report.text) - 1] = '\0';
	return print_failure(report.status, report.text);
}

static bool send_report(int fd, int status, const char *text)
{
	struct report report = {.status = (unsigned char)status};

	(void)snprintf(report.text, sizeof(report.text), "%s", text);
	/* Less than PIPE_BUF: in one piece or not at all. */
	return write(fd, &report, sizeof(report)) == (ssize_t)sizeof(report);
}

int thaw_detach_begin(bool foreground, struct thaw_detach *ret)
{
	int pipe_fds[2];
	pid_t child;

	ret->fd = -1;
	if (foreground)
		return 0;
	/* Whoever started us may wait for the end of a pipe. */
	(void)close_range(STDERR_FILENO + 1, ~0U, 0);
	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return -errno;
	(void)fflush(NULL);
	child = fork();
	if (child < 0)
		return -errno;
	if (child > 0) {
		(void)close(pipe_fds[1]);
		_exit(wait_for_report(pipe_fds[0], child));
	}
	(void)close(pipe_fds[0]);
	(void)setsid();
	ret->fd = pipe_fds[1];
	return 0;
}

static void leave_terminal(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null >= 0) {
		(void)dup2(null, STDIN_FILENO);
		(void)dup2(null, STDOUT_FILENO);
		(void)dup2(null, STDERR_FILENO);
	}
	if (null > STDERR_FILENO)
		(void)close(null);
	thaw_log_to_syslog();
}

bool thaw_detach_ready(struct thaw_detach *detach)
{
	bool sent;

	if (detach->fd < 0)
		return true;
	sent = send_report(detach->fd, 0, "");
	(void)close(detach->fd);
	detach->fd = -1;
	leave_terminal();
	return sent;
}

int thaw_detach_failed(struct thaw_detach *detach, int status, const char *text)
{
	if (detach->fd < 0)
		return print_failure(status, text);
	(void)send_report(detach->fd, status, text);
	(void)close(detach->fd);
	detach->fd = -1;
	return status;
}

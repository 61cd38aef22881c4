/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The metrics' HTTP endpoint over a stub engine, asked with raw sockets.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "control/metrics_http.h"
#include "stub_stage.h"
#include "../suite.h"

#define PATIENCE_S 20

static struct thaw_stage *stage;
static struct thaw_metrics_http *http;
static char answer[256 * 1024]; /* the last one, whole */

static void start(const char *host_port)
{
	struct thaw_err err = {""};

	ck_assert_msg(thaw_metrics_http_start(stage, host_port, &http, &err) == 0, "%s", err.text);
	ck_assert_uint_ne(thaw_metrics_http_port(http), 0);
}

static void set_up(void)
{
	thaw_log_set_level(LOG_EMERG);
	stage = stub_new();
	start("127.0.0.1:0");
}

static void tear_down(void)
{
	http = thaw_metrics_http_stop(http);
	stub_free(stage);
}

static int join(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_port = htons(thaw_metrics_http_port(http)),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct timeval patience = {.tv_sec = PATIENCE_S};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

static void say(int fd, const char *text)
{
	ck_assert_int_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* To the end; closes. */
static void hear(int fd)
{
	size_t len = 0;
	ssize_t n;

	while ((n = recv(fd, answer + len, sizeof(answer) - 1 - len, 0)) > 0)
		len += (size_t)n;
	ck_assert_msg(n == 0, "no end came: %s", strerror(errno));
	answer[len] = '\0';
	close(fd);
}

static void ask(const char *request_line)
{
	char text[512];
	int fd = join();

	snprintf(text, sizeof(text), "%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
		 request_line);
	say(fd, text);
	hear(fd);
}

static bool has(const char *text)
{
	return strstr(answer, text);
}

static void expect(const char *request_line, int status)
{
	int got = 0;

	ask(request_line);
	ck_assert_int_eq(sscanf(answer, "HTTP/1.1 %d ", &got), 1);
	ck_assert_msg(got == status, "%s: %s", request_line, answer);
}

static void set_status(struct thaw_status status)
{
	pthread_mutex_lock(&stage->lock);
	stage->status = status;
	pthread_mutex_unlock(&stage->lock);
}

START_TEST(every_number_stands_in_its_row)
{
	set_status((struct thaw_status){.size = 1,
					.used = 2,
					.resident_bytes = 3,
					.reserved_bytes = 4,
					.resident_files = 5,
					.pinned_bytes = 6,
					.flights = 7,
					.waiters = 8,
					.queue = 9,
					.requests_open = 10,
					.staged_files = 11,
					.staged_bytes = 12,
					.evicted_files = 13,
					.evicted_bytes = 14,
					.failures = 15,
					.started = 16,
					.hits = 17,
					.misses = 18,
					.streams = 19});
	expect("GET /metrics", 200);
	ck_assert(has("\r\nContent-Type: text/plain; version=0.0.4\r\n"));
	ck_assert(has("\nthawfs_cache_size_bytes 1\n"));
	ck_assert(has("\nthawfs_cache_used_bytes 2\n"));
	ck_assert(has("\nthawfs_cache_bytes 3\n"));
	ck_assert(has("\nthawfs_cache_reserved_bytes 4\n"));
	ck_assert(has("\nthawfs_cache_files 5\n"));
	ck_assert(has("\nthawfs_cache_pinned_bytes 6\n"));
	ck_assert(has("\nthawfs_flights 7\n"));
	ck_assert(has("\nthawfs_waiters 8\n"));
	ck_assert(has("\nthawfs_queue_depth 9\n"));
	ck_assert(has("\nthawfs_requests_active 10\n"));
	ck_assert(has("\nthawfs_stage_files_total{result=\"done\"} 11\n"));
	ck_assert(has("\nthawfs_bytes_staged_total 12\n"));
	ck_assert(has("\nthawfs_evictions_total 13\n"));
	ck_assert(has("\nthawfs_evicted_bytes_total 14\n"));
	ck_assert(has("\nthawfs_stage_files_total{result=\"failed\"} 15\n"));
	ck_assert(has("\nthawfs_start_time_seconds 16\n"));
	/* Opens are the kernel door's to count. */
	ck_assert(has("\nthawfs_opens_total{result=\"hit\"} 0\n"));
}
END_TEST

START_TEST(counters_stay_and_gauges_fall)
{
	set_status((struct thaw_status){.staged_bytes = 100, .flights = 100});
	expect("GET /metrics", 200);
	expect("GET /metrics", 200);
	ck_assert(has("\nthawfs_bytes_staged_total 100\n"));
	set_status((struct thaw_status){.staged_bytes = 40, .flights = 40});
	expect("GET /metrics", 200);
	ck_assert(has("\nthawfs_bytes_staged_total 100\n"));
	ck_assert(has("\nthawfs_flights 40\n"));
}
END_TEST

START_TEST(what_else_can_be_asked)
{
	expect("GET /", 200);
	ck_assert(has("\r\n\r\nthawfs: see /metrics\n"));
	expect("GET /metrics?x=1", 200);
	expect("HEAD /metrics", 200);
	ck_assert(!has("thawfs_"));
	expect("GET /metrics/", 404);
	expect("GET /../etc/passwd", 404);
	expect("POST /metrics", 405);
	ck_assert(has("\r\nAllow: GET, HEAD\r\n"));
	expect("DELETE /", 405);
	expect("NONSENSE /none", 405);
}
END_TEST

START_TEST(bodies_are_swallowed_or_refused)
{
	int fd = join();

	say(fd, "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
		"Content-Length: 5\r\n\r\nhello");
	hear(fd);
	ck_assert_msg(strncmp(answer, "HTTP/1.1 200 ", 13) == 0, "%s", answer);
	fd = join();
	say(fd, "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n");
	hear(fd);
	ck_assert_msg(strncmp(answer, "HTTP/1.1 405 ", 13) == 0, "%s", answer);
}
END_TEST

START_TEST(what_is_no_http_costs_nothing_else)
{
	int fd = join();

	say(fd, "\x16\x03\x01 what is this\r\n\r\n");
	hear(fd);
	expect("GET /metrics", 200);
}
END_TEST

START_TEST(an_engine_that_cannot_tell_is_an_error)
{
	stage->status_error = -EIO;
	expect("GET /metrics", 500);
	ck_assert(!has("thawfs_"));
	expect("GET /", 200);
}
END_TEST

/* More than the limit wait for a place; those who have one and say nothing are
 * cut by the timeout, which the stop does not wait for. */
START_TEST(silent_peers_do_not_hold_up_the_stop)
{
	int fds[20];

	for (size_t i = 0; i < 20; i++)
		fds[i] = join();
	http = thaw_metrics_http_stop(http);
	for (size_t i = 0; i < 20; i++)
		close(fds[i]);
}
END_TEST

START_TEST(a_port_in_use_is_said_so)
{
	struct thaw_metrics_http *second = NULL;
	struct thaw_err err = {""};
	char at[64], wanted[256];

	snprintf(at, sizeof(at), "127.0.0.1:%u", thaw_metrics_http_port(http));
	ck_assert_int_eq(thaw_metrics_http_start(stage, at, &second, &err), -EADDRINUSE);
	ck_assert_ptr_null(second);
	snprintf(wanted, sizeof(wanted),
		 "metrics = %s: Address already in use; choose another port, or end what listens "
		 "there",
		 at);
	ck_assert_str_eq(err.text, wanted);
	http = thaw_metrics_http_stop(http);
	start(at); /* at once, whatever is left of old connections */
	expect("GET /", 200);
}
END_TEST

START_TEST(addresses_that_cannot_be)
{
	struct thaw_metrics_http *second = NULL;
	struct thaw_err err = {""};

	ck_assert_int_eq(thaw_metrics_http_start(stage, "192.0.2.1:9469", &second, &err),
			 -EADDRNOTAVAIL);
	ck_assert_ptr_nonnull(strstr(err.text, "metrics = 192.0.2.1:9469: "));
	ck_assert_ptr_nonnull(strstr(err.text, "an address of this machine"));
	ck_assert_int_eq(thaw_metrics_http_start(stage, "9469", &second, &err), -EINVAL);
	ck_assert_int_eq(thaw_metrics_http_start(stage, "no..host:1", &second, &err),
			 -EADDRNOTAVAIL);
	ck_assert_ptr_null(second);
}
END_TEST

START_TEST(ipv6_stands_in_brackets)
{
	struct sockaddr_in6 at = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0) {
		close(fd);
		return; /* this machine has no IPv6 */
	}
	close(fd);
	thaw_metrics_http_stop(http);
	start("[::1]:0");
	at.sin6_port = htons(thaw_metrics_http_port(http));
	fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	say(fd, "GET / HTTP/1.0\r\n\r\n");
	hear(fd);
	ck_assert(has("see /metrics"));
}
END_TEST

static void add(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, every_number_stands_in_its_row);
	tcase_add_test(tcase, counters_stay_and_gauges_fall);
	tcase_add_test(tcase, what_else_can_be_asked);
	tcase_add_test(tcase, bodies_are_swallowed_or_refused);
	tcase_add_test(tcase, what_is_no_http_costs_nothing_else);
	tcase_add_test(tcase, an_engine_that_cannot_tell_is_an_error);
	tcase_add_test(tcase, silent_peers_do_not_hold_up_the_stop);
	tcase_add_test(tcase, a_port_in_use_is_said_so);
	tcase_add_test(tcase, addresses_that_cannot_be);
	tcase_add_test(tcase, ipv6_stands_in_brackets);
}

int main(void)
{
	return run_suite("metrics_http", add);
}

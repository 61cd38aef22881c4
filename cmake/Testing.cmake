# Labels: unit, mount (needs root and /dev/fuse), tsan (worth running under ThreadSanitizer).
# A test that cannot run here exits 77 and counts as skipped.

# Sanitized programs are slower; check(3) and ctest must both know.
set(THAW_TEST_SLOWER 1)
if(THAW_SANITIZE)
	set(THAW_TEST_SLOWER 5)
endif()

set(THAW_TEST_ENV
	CK_DEFAULT_TIMEOUT=30
	CK_TIMEOUT_MULTIPLIER=${THAW_TEST_SLOWER}
	ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1
	UBSAN_OPTIONS=print_stacktrace=1
	TSAN_OPTIONS=halt_on_error=0:second_deadlock_stack=1)

if(THAW_SANITIZE STREQUAL "thread")
	# ThreadSanitizer cannot follow check's fork, and older ones refuse kernels that
	# randomise addresses widely.
	list(APPEND THAW_TEST_ENV CK_FORK=no)
	find_program(THAW_SETARCH setarch REQUIRED)
	set(THAW_TEST_RUNNER "${THAW_SETARCH}" -R)
endif()

# One check(3) program, tests/unit/<room>/NAME.c, linked with the ROOMS it tests.
#
#   thaw_unit_test(NAME test_cache_store ROOMS cache [SOURCES helper.c] [LIBS X]
#                  [LABELS tsan] [TIMEOUT 60])
function(thaw_unit_test)
	cmake_parse_arguments(PARSE_ARGV 0 A "" "NAME;TIMEOUT" "ROOMS;SOURCES;LIBS;LABELS")
	if(A_UNPARSED_ARGUMENTS)
		message(FATAL_ERROR "thaw_unit_test(${A_NAME}): unknown ${A_UNPARSED_ARGUMENTS}")
	endif()
	if(NOT A_TIMEOUT)
		set(A_TIMEOUT 60)
	endif()
	math(EXPR timeout "${A_TIMEOUT} * ${THAW_TEST_SLOWER}")

	add_executable(${A_NAME} ${A_NAME}.c ${A_SOURCES})
	list(TRANSFORM A_ROOMS PREPEND thaw_)
	target_link_libraries(${A_NAME} PRIVATE ${A_ROOMS} ${A_LIBS} PkgConfig::CHECK Threads::Threads)
	add_test(NAME ${A_NAME} COMMAND ${THAW_TEST_RUNNER} $<TARGET_FILE:${A_NAME}>)
	set_tests_properties(${A_NAME} PROPERTIES
		LABELS "unit;${A_LABELS}"
		TIMEOUT ${timeout}
		SKIP_RETURN_CODE 77
		ENVIRONMENT "${THAW_TEST_ENV};THAW_SOURCE_DIR=${PROJECT_SOURCE_DIR}")
endfunction()

# One script, tests/mount/NAME.sh, which mounts what was built and unmounts it again.
#
#   thaw_mount_test(NAME evict [LABELS tsan] [TIMEOUT 120])
function(thaw_mount_test)
	cmake_parse_arguments(PARSE_ARGV 0 A "" "NAME;TIMEOUT" "LABELS")
	if(A_UNPARSED_ARGUMENTS)
		message(FATAL_ERROR "thaw_mount_test(${A_NAME}): unknown ${A_UNPARSED_ARGUMENTS}")
	endif()
	if(NOT A_TIMEOUT)
		set(A_TIMEOUT 120)
	endif()
	math(EXPR timeout "${A_TIMEOUT} * ${THAW_TEST_SLOWER}")

	add_test(NAME mount_${A_NAME}
		COMMAND ${THAW_TEST_RUNNER} bash "${PROJECT_SOURCE_DIR}/tests/mount/${A_NAME}.sh")
	set_tests_properties(mount_${A_NAME} PROPERTIES
		LABELS "mount;${A_LABELS}"
		TIMEOUT ${timeout}
		SKIP_RETURN_CODE 77
		RESOURCE_LOCK fuse
		ENVIRONMENT "${THAW_TEST_ENV};THAW_SOURCE_DIR=${PROJECT_SOURCE_DIR};THAW_BIN_DIR=${PROJECT_BINARY_DIR}/bin")
endfunction()

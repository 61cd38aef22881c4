# Every library becomes the target PkgConfig::<MODULE NAME IN CAPITALS>:
# PkgConfig::FUSE3 SQLITE3 LIBCRYPTO INIH JANSSON LIBMICROHTTPD, and CHECK for the tests.
find_package(PkgConfig REQUIRED)
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)

set(_setup_hint "run packaging/setup as root, which installs it")

function(thaw_dep prefix)
	pkg_check_modules(${prefix} QUIET IMPORTED_TARGET GLOBAL ${ARGN})
	if(NOT ${prefix}_FOUND)
		message(FATAL_ERROR "${ARGN} was not found: ${_setup_hint}")
	endif()
	message(STATUS "Found ${ARGN}: ${${prefix}_VERSION}")
endfunction()

# --- libfuse ---------------------------------------------------------------------------------
# Passthrough needs 3.17.2, io_uring 3.18.2. packaging/setup builds a static one where the
# distribution's is older; that private one comes first.
set(THAW_FUSE_PREFIX /usr/local/lib/thawfs-deps CACHE PATH "Where packaging/setup put libfuse")

if(EXISTS "${THAW_FUSE_PREFIX}/lib/pkgconfig/fuse3.pc")
	set(_saved_path "$ENV{PKG_CONFIG_PATH}")
	set(_saved_argn "${PKG_CONFIG_ARGN}")
	set(ENV{PKG_CONFIG_PATH} "${THAW_FUSE_PREFIX}/lib/pkgconfig:$ENV{PKG_CONFIG_PATH}")
	set(PKG_CONFIG_ARGN --static)      # it needs liburing and libnuma named
	pkg_check_modules(FUSE3_PRIVATE QUIET IMPORTED_TARGET GLOBAL "fuse3>=3.17.2")
	set(ENV{PKG_CONFIG_PATH} "${_saved_path}")
	set(PKG_CONFIG_ARGN "${_saved_argn}")
endif()

if(TARGET PkgConfig::FUSE3_PRIVATE)
	add_library(PkgConfig::FUSE3 ALIAS PkgConfig::FUSE3_PRIVATE)
	set(THAW_FUSE "${FUSE3_PRIVATE_VERSION}, static, ${THAW_FUSE_PREFIX}")
else()
	pkg_check_modules(FUSE3_SYSTEM QUIET IMPORTED_TARGET GLOBAL "fuse3>=3.17.2")
	if(NOT FUSE3_SYSTEM_FOUND)
		message(FATAL_ERROR "libfuse 3.17.2 or newer was not found: ${_setup_hint}")
	endif()
	add_library(PkgConfig::FUSE3 ALIAS PkgConfig::FUSE3_SYSTEM)
	set(THAW_FUSE "${FUSE3_SYSTEM_VERSION}, the system's")
endif()
message(STATUS "Found libfuse: ${THAW_FUSE}")

# What it can do is asked of the library, not of its version. Sources test with #ifdef.
include(CheckSymbolExists)

function(thaw_fuse_has define symbol)
	# A test compile does not see alias targets.
	get_target_property(library PkgConfig::FUSE3 ALIASED_TARGET)
	set(CMAKE_REQUIRED_LIBRARIES ${library})
	set(CMAKE_REQUIRED_DEFINITIONS -DFUSE_USE_VERSION=317 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64)
	check_symbol_exists(${symbol} fuse_lowlevel.h ${define})
	if(${define})
		add_compile_definitions(${define})
	endif()
endfunction()

if(NOT THAW_FUSE STREQUAL THAW_FUSE_TESTED)   # another library: ask again
	unset(HAVE_FUSE_PASSTHROUGH_OPEN CACHE)
	unset(HAVE_FUSE_NOTIFY_INCREMENT_EPOCH CACHE)
	unset(HAVE_FUSE_IO_URING CACHE)
	set(THAW_FUSE_TESTED "${THAW_FUSE}" CACHE INTERNAL "")
endif()
thaw_fuse_has(HAVE_FUSE_PASSTHROUGH_OPEN fuse_passthrough_open)
thaw_fuse_has(HAVE_FUSE_NOTIFY_INCREMENT_EPOCH fuse_lowlevel_notify_increment_epoch)
thaw_fuse_has(HAVE_FUSE_IO_URING fuse_req_is_uring)    # came with the io_uring mount option

# --- the rest --------------------------------------------------------------------------------
thaw_dep(SQLITE3 "sqlite3>=3.40")
thaw_dep(LIBCRYPTO "libcrypto>=3.0")
thaw_dep(INIH inih)
thaw_dep(JANSSON "jansson>=2.13")
thaw_dep(LIBMICROHTTPD "libmicrohttpd>=0.9.71")   # enum MHD_Result

include(CheckIncludeFile)
check_include_file(uthash.h HAVE_UTHASH_H)
if(NOT HAVE_UTHASH_H)
	message(FATAL_ERROR "uthash.h was not found: ${_setup_hint}")
endif()

if(BUILD_TESTING)
	thaw_dep(CHECK "check>=0.15")
endif()

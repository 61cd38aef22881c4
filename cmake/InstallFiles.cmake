# What is installed besides the programs and man pages.
install(PROGRAMS packaging/mount.thawfs.sh DESTINATION "${CMAKE_INSTALL_SBINDIR}" RENAME mount.thawfs)

install(FILES etc/thawfs.conf DESTINATION "${CMAKE_INSTALL_DOCDIR}/examples" OPTIONAL)

# The unit names the programs by their full path, which is known only when it is installed:
# `cmake --install --prefix P` may differ from the prefix of the configure step.
install(CODE "
	set(THAW_BIN \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}\")
	configure_file(\"${PROJECT_SOURCE_DIR}/packaging/systemd/thawfs@.service.in\"
		\"${PROJECT_BINARY_DIR}/thawfs@.service\" @ONLY)
	file(INSTALL \"${PROJECT_BINARY_DIR}/thawfs@.service\"
		DESTINATION \"\${CMAKE_INSTALL_PREFIX}/lib/systemd/system\")
")

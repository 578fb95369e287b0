# Makes and installs the texts that name places of the installation. Runs when it is made, with the variables that
# CMakeLists.txt sets beside it.

foreach(folder bin data unit limits)
  if(IS_ABSOLUTE "${${folder}_folder}")
    set(${folder} "${${folder}_folder}")
  else()
    set(${folder} "${CMAKE_INSTALL_PREFIX}/${${folder}_folder}")
  endif()
endforeach()

# Commands, options, examples and exit codes, as the program itself knows them.
execute_process(COMMAND ${emulator} ${program} __manual OUTPUT_VARIABLE commands COMMAND_ERROR_IS_FATAL ANY)

configure_file(${source}/gainstage.1.in ${build}/gainstage.1 @ONLY)
configure_file(${source}/gainstage@.service.in ${build}/gainstage@.service @ONLY)
file(INSTALL ${build}/gainstage.1 DESTINATION "${CMAKE_INSTALL_PREFIX}/${man_folder}/man1")
file(INSTALL ${build}/gainstage@.service DESTINATION "${unit}")

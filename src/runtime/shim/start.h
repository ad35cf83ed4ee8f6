// The entry of a program of this folder. start.cpp calls it and ends the process with its result.
#pragma once

namespace podium::runtime::shim {

int Main(int argc, char** argv);

}  // namespace podium::runtime::shim

// The porch: hands the command line to the commands.
#include "cli/app.h"
#include "cli/commands.h"

int main(int argc, char** argv) { return podium::cli::Run(podium::cli::Commands(), argc, argv); }

// The porch: hands the command line to the commands.
#include "cli/app.h"
#include "commands/commands.h"

int main(int argc, char** argv) {
  return podium::cli::Run(podium::commands::Commands(), argc, argv);
}

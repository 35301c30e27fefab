#pragma once

#include "sim_plants.hpp" // Made by plants/apply.py: enum class plant, plant_table.

namespace caucus::sim {

/// The known bug that this process has; the simulator's copy of the core asks for it. One process
/// simulates in one thread.
inline plant planted = plant::none;

} // namespace caucus::sim

#define PLANTED(name) (::caucus::sim::planted == ::caucus::sim::plant::name)

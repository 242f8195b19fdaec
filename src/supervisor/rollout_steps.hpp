#pragma once

#include "supervisor/turn.hpp"

/// Steps of a change from one generation to another, in the order in which they come.
namespace serval::supervisor {

/// Ends the oldest ones, if more live than there may be with one more.
void make_room_for_a_generation(const Turn& turn);
/// The canaries have proved themselves: the new generation is the current one, and its settings are in force.
void roll_out(const Turn& turn);
/// The reverse, for settings.
void take_back_settings(World& world);
/// Where workers have no lines of their own (World::routine), a reload still shows that it goes on.
void tell_how_far_it_is(const Turn& turn);
/// No worker of an older generation serves, or accepts requests while it leaves.
bool is_over(const World& world);

/// The generation that has just been replaced stays for a while, if it can still fork.
void keep(const RolloutInHand& rollout, const Turn& turn);
bool is_being_brought_back(const World& world);  ///< what is kept
/// Its time is up, or its mold has ended.
void forget_kept(const Turn& turn);

}  // namespace serval::supervisor

#pragma once

#include "base/log.hpp"
#include "caucus/options.hpp"
#include "persistence/snapshot_reader.hpp"
#include "persistence/wal_options.hpp"

namespace caucus {

// The starts at which a cluster begins with something. Each makes the directory what a plain start
// then finds, in one write: after a crash before that it can be done again, after it the directory
// is of the new cluster. That one has a founding of its own (membership/founding.hpp), so that it
// and the nodes of the old one refuse each other, whatever their names and addresses.

/// A backup's file that is sound and of the group with this name.
result<persistence::snapshot_reader> open_backup_of(const std::string& path,
                                                    const std::string& group);

/// The group begins with `backup`, replicated by the members of the options; of the old ones
/// nothing is left. Its sessions are: a command that was answered before the backup isn't executed
/// again. Who restores another file founds another cluster. `already_exists` if the log has
/// anything.
result<void> restore_backup(persistence::directory& dir, persistence::snapshot_reader& backup,
                            const node_options& options, const persistence::wal_options& how,
                            logger& log);

/// All groups go on with what their logs have here and this node as their only member, by an entry
/// with that configuration behind all that is there: what the others never committed is committed,
/// what they committed without this node is lost. Groups with damaged logs stay quarantined.
/// `not_found` if there is nothing, `already_exists` if it is the only member everywhere.
result<void> force_new_cluster(persistence::directory& dir, const node_options& options,
                               const persistence::wal_options& how, logger& log);

/// What a node says that is to go on with what it has and has nothing.
error nothing_to_go_on_with(const std::string& directory);

} // namespace caucus

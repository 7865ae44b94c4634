"""From the files that authors published to the sets of one store.

    pickled (restricted reading) -> one reader a publisher (help_sets, oneproxy_set, natsbench_set, eagle_set,
                                     lookup_tables)
      -> join (official index, order of rows) -> check (failed, duplicated) -> store (HDF5, written whole or not at all)

`layouts` says which file gives which reader away. Nothing here knows the command line.
"""

"""When users come: one file for each model. Open models have them come whether or not the target keeps up."""

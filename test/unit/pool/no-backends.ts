/** A module that a pool cannot use. */
export const nothing = 0;

/** The backends that the command line knows. */
export const backendNames = ['smime', 'openpgp'] as const;

/** The name of a backend. */
export type BackendName = (typeof backendNames)[number];

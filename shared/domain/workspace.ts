import { z } from 'zod';

/** Name of a workspace: everything of one tenant. Workspaces exist by being named. */
export const WorkspaceName = z
  .string()
  .regex(/^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$/, {
    error: 'must have 1 to 64 letters, digits, dots, dashes or underscores, a letter or digit at both ends',
  })
  .meta({ id: 'WorkspaceName', description: 'The tenant; everything is seen only within its workspace.' });

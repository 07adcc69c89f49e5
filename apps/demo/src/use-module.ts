import { useQuery } from '@tanstack/react-query'

/**
 * What a part of the page that comes when it is needed gives; `undefined` until it is here. `load` imports it, and is
 * called again when that failed: without it the rest of the page goes on.
 */
export function useModule<T>(name: string, load: () => Promise<T>): T | undefined {
  return useQuery({
    queryKey: ['module', name],
    queryFn: load,
    staleTime: Infinity,
    gcTime: Infinity,
    structuralSharing: false,
  }).data
}

import { useEffect, useRef, type ReactNode } from 'react'
import { Icon } from './icons.tsx'

/** See {@link Drawer}. */
export interface DrawerProps {
  isOpen: boolean
  label: string
  onClose: () => void
  children: ReactNode
}

/** A panel that slides over the page: a modal dialog, so the focus stays in it; Escape and a click beside close it. */
export function Drawer({ isOpen, label, onClose, children }: DrawerProps): ReactNode {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    if (isOpen) dialog.current?.showModal()
    else dialog.current?.close()
  }, [isOpen])
  return (
    <dialog ref={dialog} className="drawer" aria-label={label} onClose={onClose} closedby="any">
      <button type="button" className="icon-button drawer-close" aria-label="Close" onClick={onClose}>
        <Icon name="close" />
      </button>
      {children}
    </dialog>
  )
}

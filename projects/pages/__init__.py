"""The pages of organizations and projects, and what the pages of other rooms stand on: who may open them, and tabs."""

from projects.pages.opening import OrganizationView, ProjectView, organization_page, project_page
from projects.pages.tabs import Tab, register_tab

__all__ = ["OrganizationView", "ProjectView", "Tab", "organization_page", "project_page", "register_tab"]
